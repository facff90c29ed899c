"""What every sampler of the TRELLIS family lets one set."""

from bozzetto_bridge.params import ParamSpec, number, whole


def sampler_params(
    stage: str,
    name: str,
    *,
    steps: int,
    guidance: ParamSpec,
    guidance_from: float,
    guidance_to: float = 1.0,
    guidance_rescale: float | None = None,
    rescale_t: float,
) -> tuple[ParamSpec, ...]:
    """Give a sampler's parameters with their defaults. What its guidance strength means differs, so that is given."""
    rescale = () if guidance_rescale is None else (rescale_param(stage, name, guidance_rescale),)
    return (
        ParamSpec(
            f"{stage}.steps",
            f"{name} steps",
            stage,
            whole(1, 50, steps),
            "More steps follow the model more closely and take longer; beyond 25 little changes.",
        ),
        guidance,
        *rescale,
        ParamSpec(
            f"{stage}.guidance_from",
            f"{name} guidance from",
            stage,
            number(0, 1, guidance_from, 0.05),
            "Noise level down to which guidance acts. Lower guides longer, into the fine steps, and takes more time.",
            advanced=True,
        ),
        ParamSpec(
            f"{stage}.guidance_to",
            f"{name} guidance to",
            stage,
            number(0, 1, guidance_to, 0.05),
            "Noise level from which guidance acts; 1 guides from the first step on.",
            advanced=True,
        ),
        ParamSpec(
            f"{stage}.rescale_t",
            f"{name} rescale T",
            stage,
            number(1, 6, rescale_t, 0.1),
            "Higher values spend more of the steps on the coarse form, lower ones more on the details.",
            advanced=True,
        ),
    )


def guidance_param(stage: str, name: str, least: float, strength: float, text: str) -> ParamSpec:
    """Give the strength of a sampler's guidance."""
    key, label = f"{stage}.guidance_strength", f"{name} guidance strength"
    return ParamSpec(key, label, stage, number(least, 10, strength, 0.1), text)


def rescale_param(stage: str, name: str, rescale: float) -> ParamSpec:
    """Give how much of guidance's contrast is taken back."""
    return ParamSpec(
        f"{stage}.guidance_rescale",
        f"{name} guidance rescale",
        stage,
        number(0, 1, rescale, 0.01),
        "Takes back the contrast that guidance adds: 0 keeps all of it, 1 takes all of it back.",
        advanced=True,
    )

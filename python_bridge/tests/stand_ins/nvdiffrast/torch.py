def RasterizeCudaContext():  # noqa: N802, its name upstream
    return "draws with CUDA"

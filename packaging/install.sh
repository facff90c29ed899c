# Installs what Bozzetto needs to build and run on Debian and Ubuntu; sourced by run.sh and test.sh.
#
# Nothing is touched that is already there. Administrator rights are asked for once, and only when a system package
# is missing.

minimum_rust="1.95"

say() { printf '%s\n' "$*"; }

fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

has_library() {
    # ldconfig lies outside an ordinary user's PATH on Debian. Its whole output is read: under pipefail, a grep that
    # stops at the first match would make the pipe fail.
    PATH="$PATH:/sbin:/usr/sbin" ldconfig -p 2>/dev/null | grep "$1" >/dev/null
}

has_vulkan_driver() {
    [ -n "$(find /usr/share/vulkan/icd.d /etc/vulkan/icd.d /usr/local/share/vulkan/icd.d -name '*.json' 2>/dev/null)" ]
}

has_header() {
    [ -n "$(find /usr/include -maxdepth 3 -name "$1" -print -quit 2>/dev/null)" ]
}

# Installs the packages named, when there are any.
install_packages() {
    [ "$#" -eq 0 ] && return 0
    command -v apt-get >/dev/null 2>&1 ||
        fail "These are missing, and this system has no apt-get: $*. Install their equivalents and start again."
    by_hand="As root, run: apt-get update && apt-get install --no-install-recommends $*"
    as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null 2>&1 || fail "System packages are missing and there is no sudo. $by_hand"
        as_root=(sudo)
    fi
    say "Installing: $*"
    # One call, so that a password is asked for once.
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive sh -c \
        'apt-get update -qq && apt-get install -qq -y --no-install-recommends -o Dpkg::Use-Pty=0 "$@" >/dev/null' \
        sh "$@" || fail "The packages could not be installed. $by_hand"
}

# Names the packages that building needs and that are absent.
missing_build_packages() {
    command -v gcc >/dev/null 2>&1 || echo gcc
    command -v g++ >/dev/null 2>&1 || echo g++
    has_header stdio.h || echo libc6-dev
    command -v curl >/dev/null 2>&1 || command -v cargo >/dev/null 2>&1 || echo curl
    [ -e /etc/ssl/certs/ca-certificates.crt ] || echo ca-certificates
}

# Names the packages that drawing needs and that are absent: a GPU's own driver when it is there, else one in software.
missing_vulkan_packages() {
    has_library 'libvulkan\.so\.1' || echo libvulkan1
    has_vulkan_driver || echo mesa-vulkan-drivers
}

# Names the packages that a window needs and that are absent.
missing_window_packages() {
    has_library 'libXcursor\.so\.1' || echo libxcursor1
    has_library 'libXi\.so\.6' || echo libxi6
    has_library 'libxkbcommon-x11\.so\.0' || echo libxkbcommon-x11-0
    has_library 'libX11-xcb\.so\.1' || echo libx11-xcb1
}

# Whether version $1 is at least version $2.
at_least() {
    [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]
}

ensure_rust() {
    # Where the official installer puts it; a fresh shell may not have it on its PATH yet.
    PATH="$PATH:${CARGO_HOME:-$HOME/.cargo}/bin"
    export PATH
    if command -v cargo >/dev/null 2>&1; then
        # rustup may be there without any Rust, as Ubuntu installs it.
        installed=$(rustc --version 2>/dev/null | cut -d ' ' -f 2) || installed=
        at_least "${installed:-0}" "$minimum_rust" && return 0
        if command -v rustup >/dev/null 2>&1; then
            say "Rust $minimum_rust is needed and ${installed:-none} is there; installing the newest stable one."
            rustup update stable --no-self-update && rustup default stable ||
                fail "rustup could not install Rust. See what it says above, then start again."
            # The system's own Rust may come first.
            PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
            return 0
        fi
        say "Rust $minimum_rust is needed, ${installed:-none} is there, without rustup; installing a newer one beside it."
    fi
    say "Installing Rust into your home folder with its official installer."
    curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --profile minimal --no-modify-path ||
        fail "Rust could not be installed. See https://rustup.rs, then start again."
    PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
}

"""Nothing is in the cache."""


def try_to_load_from_cache(repository, file):
    return None

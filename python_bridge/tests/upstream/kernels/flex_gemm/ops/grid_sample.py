"""Only the baking of upstream's own export looks voxels up, and no adapter asks for it."""


def grid_sample_3d(*arguments, **options):
    raise NotImplementedError

//! The built-in engine: pictures to 3D without a GPU, weights or Python

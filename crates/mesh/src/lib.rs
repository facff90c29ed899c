//! Geometry: weld, fill, simplify, unwrap, bake, health

use glam::{Mat3, Vec3};

/// Least standard deviation of a cluster: compression and rounding blur colours by about as much.
const LEAST_SIGMA: f32 = 0.7;
const NUM_ROUNDS: usize = 6;

/// One cluster of colours.
#[derive(Clone, Debug)]
struct Cluster {
    mean: Vec3,
    precision: Mat3,
    /// Logarithm of the cluster's share over its normalisation.
    log_scale: f32,
}

/// A mixture of Gaussians in the matte's colour space.
#[derive(Clone, Debug)]
pub(crate) struct ColorModel {
    clusters: Vec<Cluster>,
}

impl ColorModel {
    /// Fits at most `num_clusters` clusters to weighted colours; `None` when nothing weighs anything.
    ///
    /// The seeds are the colours farthest from one another, so the same colours always give the same model.
    pub fn fit(samples: &[(Vec3, f32)], num_clusters: usize) -> Option<Self> {
        let total: f32 = samples.iter().map(|sample| sample.1).sum();
        if total <= 1e-3 {
            return None;
        }
        let mut model = Self::with_seeds(samples, total, num_clusters);
        let mut shares = vec![0.0; num_clusters];
        for _ in 0..NUM_ROUNDS {
            let mut moments = vec![Moments::default(); model.clusters.len()];
            for &(color, weight) in samples {
                model.shares_of(color, &mut shares);
                for (moment, share) in moments.iter_mut().zip(&shares) {
                    moment.add(color, weight * share);
                }
            }
            model.clusters = moments.iter().filter_map(|moment| moment.cluster(total)).collect();
        }
        Some(model)
    }

    fn with_seeds(samples: &[(Vec3, f32)], total: f32, num_clusters: usize) -> Self {
        let mean = samples.iter().map(|&(color, weight)| color * weight).sum::<Vec3>() / total;
        let mut seeds: Vec<Vec3> = Vec::new();
        let mut gaps: Vec<f32> = samples
            .iter()
            .map(|&(color, weight)| color.distance_squared(mean) * weight)
            .collect();
        while seeds.len() < num_clusters {
            let (farthest, gap) =
                gaps.iter().enumerate().fold(
                    (0, 0.0),
                    |best, (index, &gap)| if gap > best.1 { (index, gap) } else { best },
                );
            if gap < LEAST_SIGMA * LEAST_SIGMA && !seeds.is_empty() {
                break;
            }
            let seed = samples[farthest].0;
            for (gap, &(color, weight)) in gaps.iter_mut().zip(samples) {
                let to_seed = color.distance_squared(seed) * weight;
                *gap = if seeds.is_empty() { to_seed } else { gap.min(to_seed) };
            }
            seeds.push(seed);
        }
        let mut moments = vec![Moments::default(); seeds.len()];
        for &(color, weight) in samples {
            let nearest = (0..seeds.len())
                .min_by(|&a, &b| {
                    color
                        .distance_squared(seeds[a])
                        .total_cmp(&color.distance_squared(seeds[b]))
                })
                .unwrap_or(0);
            moments[nearest].add(color, weight);
        }
        Self {
            clusters: moments.iter().filter_map(|moment| moment.cluster(total)).collect(),
        }
    }

    /// Natural logarithm of the density at a colour.
    pub fn log_density(&self, color: Vec3) -> f32 {
        let mut most = f32::NEG_INFINITY;
        let mut sum = 0.0;
        for cluster in &self.clusters {
            let value = cluster.log_density(color);
            if value > most {
                sum = sum * (most - value).exp() + 1.0;
                most = value;
            } else {
                sum += (value - most).exp();
            }
        }
        most + sum.ln()
    }

    fn shares_of(&self, color: Vec3, shares: &mut [f32]) {
        let most = self.clusters.iter().map(|cluster| cluster.log_density(color));
        let most = most.fold(f32::NEG_INFINITY, f32::max);
        let mut sum = 0.0;
        for (share, cluster) in shares.iter_mut().zip(&self.clusters) {
            *share = (cluster.log_density(color) - most).exp();
            sum += *share;
        }
        for share in shares.iter_mut() {
            *share /= sum;
        }
    }
}

impl Cluster {
    fn log_density(&self, color: Vec3) -> f32 {
        let gap = color - self.mean;
        self.log_scale - 0.5 * gap.dot(self.precision * gap)
    }
}

/// Weighted sums that mean and covariance follow from.
#[derive(Clone, Debug, Default)]
struct Moments {
    weight: f32,
    first: Vec3,
    second: [Vec3; 3],
}

impl Moments {
    fn add(&mut self, color: Vec3, weight: f32) {
        self.weight += weight;
        self.first += color * weight;
        for (axis, row) in self.second.iter_mut().enumerate() {
            *row += color * (color[axis] * weight);
        }
    }

    /// `None` for a cluster that nearly nothing belongs to.
    fn cluster(&self, total: f32) -> Option<Cluster> {
        if self.weight < 1e-3 * total {
            return None;
        }
        let mean = self.first / self.weight;
        let columns: [Vec3; 3] = std::array::from_fn(|axis| {
            let mut column = self.second[axis] / self.weight - mean * mean[axis];
            column[axis] = column[axis].max(0.0) + LEAST_SIGMA * LEAST_SIGMA;
            column
        });
        let covariance = Mat3::from_cols(columns[0], columns[1], columns[2]);
        let determinant = covariance.determinant().max(LEAST_SIGMA.powi(6));
        Some(Cluster {
            mean,
            precision: covariance.inverse(),
            log_scale: (self.weight / total).ln() - 0.5 * (determinant.ln() + 3.0 * std::f32::consts::TAU.ln()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_heaps_of_colour_are_found() {
        let heap = |center: Vec3| {
            (0..200).map(move |i| {
                let jitter = Vec3::new((i % 7) as f32, (i % 5) as f32, (i % 3) as f32) - 2.0;
                (center + jitter, 1.0)
            })
        };
        let (dark, light) = (Vec3::new(20.0, 10.0, 0.0), Vec3::new(80.0, -10.0, 5.0));
        let samples: Vec<_> = heap(dark).chain(heap(light)).collect();
        let model = ColorModel::fit(&samples, 4).expect("there are samples");
        let between = model.log_density((dark + light) * 0.5);
        assert!(model.log_density(dark) > between + 20.0);
        assert!(model.log_density(light) > between + 20.0);
    }

    #[test]
    fn the_density_integrates_to_one() {
        let samples: Vec<_> = (0..64)
            .map(|i| {
                (
                    Vec3::new((i % 4) as f32 * 3.0, (i / 4 % 4) as f32 * 2.0, (i / 16) as f32),
                    1.0,
                )
            })
            .collect();
        let model = ColorModel::fit(&samples, 3).expect("there are samples");
        let step = 0.5;
        let mut sum = 0.0;
        for x in -30..60 {
            for y in -30..50 {
                for z in -20..30 {
                    let color = Vec3::new(x as f32, y as f32, z as f32) * step;
                    sum += model.log_density(color).exp() * step * step * step;
                }
            }
        }
        assert!((sum - 1.0).abs() < 0.03, "{sum}");
    }

    #[test]
    fn no_weight_gives_no_model() {
        assert!(ColorModel::fit(&[(Vec3::ONE, 0.0)], 3).is_none());
        assert!(ColorModel::fit(&[], 3).is_none());
    }
}

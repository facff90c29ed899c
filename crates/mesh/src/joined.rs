use bytemuck::Zeroable;
use bytemuck::allocation::zeroed_vec;
use rayon::prelude::*;

/// What several threads have found, one after the other. Copied in parallel: for large results the first touch of
/// their memory takes longer than finding them.
pub(crate) fn joined<T: Copy + Zeroable + Send + Sync>(parts: &[Vec<T>]) -> Vec<T> {
    let mut all = zeroed_vec(parts.iter().map(Vec::len).sum());
    let mut rest = all.as_mut_slice();
    let mut places = Vec::with_capacity(parts.len());
    for part in parts {
        let (place, others) = rest.split_at_mut(part.len());
        places.push(place);
        rest = others;
    }
    places
        .into_par_iter()
        .zip(parts)
        .for_each(|(place, part)| place.copy_from_slice(part));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_keep_their_order() {
        let parts: Vec<Vec<u32>> = (0..100_u32).map(|part| vec![part; part as usize % 7]).collect();
        assert_eq!(joined(&parts), parts.concat());
        assert!(joined::<u32>(&[]).is_empty());
    }
}

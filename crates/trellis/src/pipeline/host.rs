use tch::{Device, Kind, Tensor, kind::Element};

use crate::Result;

/// An array in the computer's memory, as stages hand on. Unlike a tensor, threads can share it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HostTensor<T = f32> {
    /// Row by row.
    pub data: Vec<T>,
    /// Lengths of its axes.
    pub shape: Vec<i64>,
}

impl<T: Element + Copy + Default> HostTensor<T> {
    /// A copy of a tensor, in this kind of numbers.
    pub fn of(tensor: &Tensor) -> Result<Self> {
        let tensor = tensor
            .f_to_device_(Device::Cpu, T::KIND, false, false)?
            .f_contiguous()?;
        let mut data = vec![T::default(); tensor.numel()];
        let length = data.len();
        tensor.f_copy_data(&mut data, length)?;
        Ok(Self {
            data,
            shape: tensor.size(),
        })
    }

    /// A tensor on a device.
    pub fn on(&self, device: Device) -> Result<Tensor> {
        let tensor = Tensor::f_from_slice(&self.data)?.f_view(self.shape.as_slice())?;
        Ok(tensor.f_to_device(device)?)
    }

    /// Length of the first axis.
    pub fn len(&self) -> usize {
        self.shape.first().map_or(0, |&length| length as usize)
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    /// What it takes of memory.
    pub fn num_bytes(&self) -> u64 {
        size_of_val(self.data.as_slice()) as u64
    }
}

/// Numbers from a normal distribution, drawn on the processor as upstream does, in f32 on `device`.
pub(super) fn noise(shape: &[i64], device: Device) -> Result<Tensor> {
    Ok(Tensor::f_randn(shape, (Kind::Float, Device::Cpu))?.f_to_device(device)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_come_back_from_a_device_as_they_went() {
        let tensor = Tensor::from_slice(&[1.5_f32, 2.0, -3.0, 4.0, 5.0, 6.0])
            .view([2, 3])
            .transpose(0, 1);
        let host = HostTensor::<f32>::of(&tensor).expect("a copy");
        assert_eq!(
            (host.data.as_slice(), host.shape.as_slice()),
            (&[1.5, 4.0, 2.0, 5.0, -3.0, 6.0][..], &[3, 2][..])
        );
        assert_eq!((host.len(), host.num_bytes()), (3, 24));
        assert!(host.on(Device::Cpu).expect("a tensor").equal(&tensor.contiguous()));
        let whole = HostTensor::<i32>::of(&tensor).expect("rounded towards zero");
        assert_eq!(whole.data, [1, 4, 2, 5, -3, 6]);
    }
}

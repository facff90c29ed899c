use crate::gpu;
use crate::upload::write_in_bands;

/// A vertex buffer of small items that is rewritten now and then and grows when it must.
pub struct GrowingBuffer {
    label: &'static str,
    buffer: Option<wgpu::Buffer>,
    len: u32,
}

impl GrowingBuffer {
    pub fn new(label: &'static str) -> Self {
        Self {
            label,
            buffer: None,
            len: 0,
        }
    }

    /// Replaces the contents.
    pub fn write<T: bytemuck::Pod>(&mut self, device: &wgpu::Device, queue: &wgpu::Queue, items: &[T]) {
        self.len = items.len() as u32;
        if items.is_empty() {
            return;
        }
        let bytes: &[u8] = bytemuck::cast_slice(items);
        let fits = self
            .buffer
            .as_ref()
            .is_some_and(|buffer| buffer.size() >= bytes.len() as u64);
        if !fits {
            self.buffer = Some(gpu::create_buffer(
                device,
                &wgpu::BufferDescriptor {
                    label: Some(self.label),
                    size: (bytes.len() as u64).next_power_of_two(),
                    usage: wgpu::BufferUsages::VERTEX | wgpu::BufferUsages::COPY_DST,
                    mapped_at_creation: false,
                },
            ));
        }
        if let Some(buffer) = &self.buffer {
            write_in_bands(queue, buffer, bytes);
        }
    }

    /// The buffer, unless there is nothing in it.
    pub fn buffer(&self) -> Option<&wgpu::Buffer> {
        self.buffer.as_ref().filter(|_| self.len > 0)
    }

    /// Number of items.
    pub fn len(&self) -> u32 {
        self.len
    }
}

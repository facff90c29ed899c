use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::TryRecvError;
use std::time::Duration;

use image::RgbaImage;

use crate::GpuError;

/// Submits the commands, waits, and copies an 8-bit RGBA texture to memory, top row first.
pub fn read_back(
    device: &wgpu::Device,
    queue: &wgpu::Queue,
    mut encoder: wgpu::CommandEncoder,
    texture: &wgpu::Texture,
) -> Result<RgbaImage, GpuError> {
    let (width, height) = (texture.width(), texture.height());
    let row_bytes = width * 4;
    let padded_row_bytes = row_bytes.next_multiple_of(wgpu::COPY_BYTES_PER_ROW_ALIGNMENT);
    let buffer = device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("read back"),
        size: u64::from(padded_row_bytes) * u64::from(height),
        usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
        mapped_at_creation: false,
    });
    let target = wgpu::TexelCopyBufferInfo {
        buffer: &buffer,
        layout: wgpu::TexelCopyBufferLayout {
            offset: 0,
            bytes_per_row: Some(padded_row_bytes),
            rows_per_image: None,
        },
    };
    encoder.copy_texture_to_buffer(texture.as_image_copy(), target, texture.size());
    queue.submit([encoder.finish()]);
    let bytes = read_bytes(device, &buffer, Patience::Waits)?;
    let mut pixels = Vec::with_capacity((row_bytes * height) as usize);
    for row in bytes.chunks_exact(padded_row_bytes as usize) {
        pixels.extend_from_slice(&row[..row_bytes as usize]);
    }
    RgbaImage::from_raw(width, height, pixels).ok_or_else(|| GpuError::ReadBack {
        reason: "its size is wrong".to_owned(),
    })
}

/// Asks the device how far it is. wgpu panics where the device is lost at that very moment; that comes back as an error.
pub fn poll(device: &wgpu::Device, how: wgpu::PollType) -> Result<(), GpuError> {
    match catch_unwind(AssertUnwindSafe(|| device.poll(how))) {
        Ok(polled) => polled.map(drop).map_err(|error| GpuError::ReadBack {
            reason: error.to_string(),
        }),
        Err(_) => Err(GpuError::DeviceLost {
            reason: "it stopped answering".to_owned(),
        }),
    }
}

/// Waits until the device has done everything it was given.
pub fn wait(device: &wgpu::Device) -> Result<(), GpuError> {
    poll(device, wgpu::PollType::wait_indefinitely())
}

/// How a device is waited for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// Until it is done; who shows a frame on the same device meanwhile waits as well.
    Waits,
    /// By asking now and then, so that a window may show frames.
    Asks,
}

/// Waits for the device and copies a buffer that can be mapped.
pub fn read_bytes(device: &wgpu::Device, buffer: &wgpu::Buffer, patience: Patience) -> Result<Vec<u8>, GpuError> {
    let failed = |reason: String| GpuError::ReadBack { reason };
    let (sender, receiver) = std::sync::mpsc::channel();
    buffer.slice(..).map_async(wgpu::MapMode::Read, move |mapped| {
        // The receiver outlives the wait below; if it does not, nobody is left to be told.
        let _ = sender.send(mapped);
    });
    let mapped = match patience {
        Patience::Waits => {
            wait(device)?;
            receiver.recv().map_err(|error| failed(error.to_string()))?
        }
        Patience::Asks => loop {
            poll(device, wgpu::PollType::Poll)?;
            match receiver.try_recv() {
                Ok(mapped) => break mapped,
                Err(TryRecvError::Empty) => std::thread::sleep(Duration::from_millis(1)),
                Err(error @ TryRecvError::Disconnected) => return Err(failed(error.to_string())),
            }
        },
    };
    mapped.map_err(|error| failed(error.to_string()))?;
    let bytes = buffer
        .slice(..)
        .get_mapped_range()
        .map_err(|error| failed(error.to_string()))?;
    Ok(bytes.to_vec())
}

/// Copies the first words of a buffer that is a copy's source.
#[cfg(test)]
pub fn read_words(
    device: &wgpu::Device,
    queue: &wgpu::Queue,
    buffer: &wgpu::Buffer,
    count: usize,
) -> Result<Vec<u32>, GpuError> {
    let bytes = (count as u64 * 4).max(4);
    let copy = device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("read words"),
        size: bytes,
        usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
        mapped_at_creation: false,
    });
    let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    encoder.copy_buffer_to_buffer(buffer, 0, &copy, 0, bytes);
    queue.submit([encoder.finish()]);
    let bytes = read_bytes(device, &copy, Patience::Waits)?;
    Ok(bytemuck::pod_collect_to_vec(&bytes[..count * 4]))
}

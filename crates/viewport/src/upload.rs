//! Brings large things to the device piece by piece. While the queue takes one it serves nobody else, and a window may
//! want to draw.

const BAND_BYTES: usize = 1 << 20;

/// Fills a buffer from its start.
pub fn write_in_bands(queue: &wgpu::Queue, buffer: &wgpu::Buffer, bytes: &[u8]) {
    for (index, band) in bytes.chunks(BAND_BYTES).enumerate() {
        queue.write_buffer(buffer, (index * BAND_BYTES) as u64, band);
    }
}

/// Fills the first level of a texture of four bytes a texel.
pub fn write_texture_in_bands(queue: &wgpu::Queue, texture: &wgpu::Texture, texels: &[u8]) {
    let size = texture.size();
    let row_bytes = size.width * 4;
    let band_rows = (BAND_BYTES as u32 / row_bytes).max(1);
    for (band, texels) in (0_u32..).zip(texels.chunks((band_rows * row_bytes) as usize)) {
        let layout = wgpu::TexelCopyBufferLayout {
            offset: 0,
            bytes_per_row: Some(row_bytes),
            rows_per_image: None,
        };
        let place = wgpu::TexelCopyTextureInfo {
            origin: wgpu::Origin3d {
                y: band * band_rows,
                ..wgpu::Origin3d::ZERO
            },
            ..texture.as_image_copy()
        };
        let band_size = wgpu::Extent3d {
            height: texels.len() as u32 / row_bytes,
            ..size
        };
        queue.write_texture(place, texels, layout, band_size);
    }
}

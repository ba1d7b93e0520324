locals {
  # Memory and timeout of each function, unless var.functions overrides them. 1,769 MB buy one whole processor. Functions
  # that mostly wait for S3 and the table have little: it is paid for while they wait. The trigger has more, because it
  # limits how fast a flood is handled.
  function_defaults = {
    upload            = { memory_mb = 512, timeout_seconds = 29 }
    trigger           = { memory_mb = 256, timeout_seconds = 30 }
    get_file_type     = { memory_mb = 192, timeout_seconds = 30 }
    copy_file         = { memory_mb = 192, timeout_seconds = 360 }
    resize_image      = { memory_mb = 1769, timeout_seconds = 240 }
    write_to_dynamodb = { memory_mb = 192, timeout_seconds = 30 }
    delete_file       = { memory_mb = 192, timeout_seconds = 80 }
  }

  # Each further rendition is looked for and written: two calls of AWS, each of which ends after 24 seconds at most.
  seconds_for_renditions = { resize_image = 48 * (length(var.renditions) - 1) }

  function_settings = {
    for function, default in local.function_defaults : function => {
      memory_mb            = try(coalesce(tonumber(var.functions[function].memory_mb)), default.memory_mb)
      timeout_seconds      = try(coalesce(tonumber(var.functions[function].timeout_seconds)), default.timeout_seconds + lookup(local.seconds_for_renditions, function, 0))
      reserved_concurrency = try(tonumber(var.functions[function].reserved_concurrency), null)
      snap_start           = try(coalesce(tobool(var.functions[function].snap_start)), false)
    }
  }
}

# The largest image follows from resize_image's memory: a larger image is refused with ImageTooLarge, before the kernel
# would kill the function. lambda_src/image_converter/conversion/limits.py says how the figures were measured; a test
# compares both.
locals {
  bytes_per_mb    = 1048576
  resize_memory   = local.function_settings.resize_image.memory_mb * local.bytes_per_mb
  resize_overhead = 192 * local.bytes_per_mb # Python, its libraries and the AWS SDK
  bytes_per_pixel = 12                       # pixels and PNG, in the worst kind of JPEG
  copies_of_file  = 3                        # of the JPEG, as S3 sent it and as decoders read it

  # What encoders take in addition: the image, its file, and as much as the format needs.
  encoder_bytes           = 16 * local.bytes_per_mb
  encoder_bytes_per_pixel = { png = 5, jpeg = 6, webp = 34, avif = 48 }
  image_bytes_per_pixel   = 4

  # Of the renditions whose size is limited. What the others take depends on the image, and the function decides.
  rendition_bytes = {
    for rendition in local.renditions : rendition.name => (
      rendition.max_width * rendition.max_height * (
        2 * local.image_bytes_per_pixel + local.encoder_bytes_per_pixel[rendition.format]
      ) + local.encoder_bytes
    ) if can(rendition.max_width * rendition.max_height)
  }

  max_image_bytes  = floor(local.resize_memory / 16)
  memory_of_pixels = local.resize_memory - local.resize_overhead - local.copies_of_file * local.max_image_bytes
  max_image_pixels = floor(local.memory_of_pixels / local.bytes_per_pixel)

  # What the form accepts, so that its uploader learns at once that an image is too large.
  max_form_bytes = try(
    coalesce(var.upload_form["max_bytes"]),
    min(local.upload_form_defaults.max_bytes, local.max_image_bytes),
  )
}

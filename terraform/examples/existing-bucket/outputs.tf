output "image_converter" {
  description = "All outputs of the stack."
  value       = module.image_converter
}

output "bucket_needs" {
  description = "What the bucket needs, which its owner provides."
  value       = module.image_converter.existing_buckets_need
}

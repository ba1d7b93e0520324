output "image_converter" {
  description = "All outputs of the stack."
  value       = module.image_converter
}

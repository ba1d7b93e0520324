output "image_converter" {
  description = "All outputs of the stack."
  value       = module.image_converter
}

output "events_queue_url" {
  description = "URL of the queue that receives an event for each image."
  value       = aws_sqs_queue.images.url
}

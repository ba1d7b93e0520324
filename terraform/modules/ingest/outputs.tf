output "queue_url" {
  description = "URL of the queue."
  value       = aws_sqs_queue.this.url
}

output "queue_name" {
  description = "Name of the queue."
  value       = aws_sqs_queue.this.name
}

output "dead_letter_queue_url" {
  description = "URL of the dead-letter queue."
  value       = aws_sqs_queue.dead_letters.url
}

output "dead_letter_queue_name" {
  description = "Name of the dead-letter queue."
  value       = aws_sqs_queue.dead_letters.name
}

output "enabled" {
  description = "Whether messages are handled (true) or wait (false)."
  value       = aws_lambda_event_source_mapping.this.enabled
}

output "policy" {
  description = "The queue's policy, as JSON."
  value       = aws_sqs_queue.this.policy
}

output "filters" {
  description = "Pairs of prefix and suffix, one for each notification; null matches any key."
  value       = local.filters
}

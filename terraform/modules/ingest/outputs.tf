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

output "event_pattern" {
  description = "What the EventBridge rule sends to the queue, as JSON; null without a rule."
  value       = one(aws_cloudwatch_event_rule.this[*].event_pattern)
}

output "policy" {
  description = "The queue's policy, as JSON."
  value       = aws_sqs_queue.this.policy
}

output "filters" {
  description = "Pairs of prefix and suffix, one for each notification; null matches any key."
  value       = local.filters
}

output "notification_id" {
  description = "ID of the bucket's notification configuration; null if a rule sends its events."
  value       = one(aws_s3_bucket_notification.this[*].id)
}

output "topic_arn" {
  description = "ARN of the topic that alarms are published to."
  value       = local.topic_arn

  # Subscribers get a topic that the alarms may already publish to.
  depends_on = [aws_sns_topic_policy.this]
}

output "topic_statements" {
  description = "Statements of the topic's policy that admit the alarms and the budget."
  value       = local.topic_statements
}

output "names" {
  description = "Names of the alarms."
  value       = [for alarm in aws_cloudwatch_metric_alarm.this : alarm.alarm_name]
}

output "budget_name" {
  description = "Name of the budget; null without one."
  value       = one(aws_budgets_budget.monthly[*].name)
}

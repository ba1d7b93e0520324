output "arn" {
  description = "ARN of the state machine."
  value       = aws_sfn_state_machine.this.arn
}

output "definition" {
  description = "Definition of the state machine in the Amazon States Language."
  value       = aws_sfn_state_machine.this.definition
}

output "role_arn" {
  description = "ARN of the state machine's role."
  value       = aws_iam_role.this.arn
}

output "policy" {
  description = "Policy of the state machine's role, as JSON."
  value       = aws_iam_role_policy.this.policy
}

output "log_group" {
  description = "Name of the state machine's log group."
  value       = aws_cloudwatch_log_group.this.name
}

output "trust_policy" {
  description = "Who may assume the state machine's role, as JSON."
  value       = aws_iam_role.this.assume_role_policy
}

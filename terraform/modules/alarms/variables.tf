variable "name" {
  description = "Name of the stack; prefix of the alarms and the topic."
  type        = string
}

variable "kms_key_arn" {
  description = "ARN of the key that encrypts the topic."
  type        = string
}

variable "create_topic" {
  description = "Whether to create the topic; otherwise `topic_arn` is notified."
  type        = bool
  default     = true
}

variable "topic_arn" {
  description = "ARN of a topic of the caller's."
  type        = string
  default     = null
}

variable "email" {
  description = "E-mail address for notifications (AWS sends a confirmation link first); null for none."
  type        = string
  default     = null
}

variable "state_machine_arn" {
  description = "ARN of the state machine."
  type        = string
}

variable "backfill_state_machine_arn" {
  description = "ARN of the backfill's state machine; null without one."
  type        = string
  default     = null
}

variable "upload_function_name" {
  description = "Name of the function behind the upload API; null without one."
  type        = string
  default     = null
}

variable "upload_errors" {
  description = "Number of errors of that function within a minute that raises its alarm."
  type        = number
  default     = 1
}

variable "failure_reporter_name" {
  description = "Name of the function that sends events for failed images; null without one."
  type        = string
  default     = null
}

variable "queue_name" {
  description = "Name of the queue."
  type        = string
}

variable "queue_age_seconds" {
  description = "Seconds that the oldest message may wait before an alarm is raised."
  type        = number
}

variable "dead_letter_queue_name" {
  description = "Name of the dead-letter queue."
  type        = string
}

variable "dashboard_url" {
  description = "URL of the dashboard, which every alarm's description contains; null without one."
  type        = string
  default     = null
}

variable "monthly_budget_usd" {
  description = "Monthly budget in US dollars, which notifies the topic at 80% actual and 100% forecast spend; null for none."
  type        = number
  default     = null
}

variable "cost_tag" {
  description = "Tag by which the budget identifies this stack's costs."
  type        = object({ key = string, value = string })
}

variable "tags" {
  description = "Tags for all resources of the module."
  type        = map(string)
  default     = {}
}

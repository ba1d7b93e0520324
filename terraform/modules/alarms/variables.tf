variable "name" {
  description = "Name of the stack; prefix of the alarms and the topic."
  type        = string
}

variable "kms_key_arn" {
  description = "ARN of the key that encrypts the topic."
  type        = string
}

variable "email" {
  description = "Address that gets the alarms, after a click on AWS's confirmation; null for none."
  type        = string
  default     = null
}

variable "state_machine_arn" {
  description = "ARN of the state machine."
  type        = string
}

variable "upload_function_name" {
  description = "Name of the function behind the upload API."
  type        = string
}

variable "upload_errors" {
  description = "Errors of that function within a minute that raise its alarm."
  type        = number
  default     = 1
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
  description = "Address of the dashboard, for who gets an alarm."
  type        = string
}

variable "monthly_budget_usd" {
  description = "US dollars a month, of which 80% spent or 100% forecast is told to the topic; null for no budget."
  type        = number
  default     = null
}

variable "cost_tag" {
  description = "The tag by which the budget knows what this stack costs."
  type        = object({ key = string, value = string })
}

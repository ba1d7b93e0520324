variable "name" {
  description = "Name of the stack: the key's alias, and the prefix of the alarms that may use the key."
  type        = string
}

variable "log_group_arns" {
  description = "ARNs of the log groups that the key encrypts, without the trailing `:*`."
  type        = list(string)
}

variable "notifying_bucket_arn" {
  description = "ARN of the bucket whose notifications go to an encrypted queue."
  type        = string
}

variable "budget_notices" {
  description = "Whether the account's budgets may use the key, to send notices to an encrypted topic."
  type        = bool
  default     = false
}

variable "deletion_window_days" {
  description = "Days between the key's removal and its deletion; until then it can be brought back, and what it encrypted with it."
  type        = number
  default     = 30

  validation {
    condition     = var.deletion_window_days >= 7 && var.deletion_window_days <= 30
    error_message = "deletion_window_days is ${var.deletion_window_days}, but KMS takes 7 to 30 days."
  }
}

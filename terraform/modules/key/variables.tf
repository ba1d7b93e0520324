variable "name" {
  description = "Name of the stack, used for the key's alias and as the prefix of alarms that may use the key."
  type        = string
}

variable "create" {
  description = "Whether to create the key; otherwise `key_arn` is used."
  type        = bool
  default     = true
}

variable "key_arn" {
  description = "ARN of a key of the caller's."
  type        = string
  default     = null
}

variable "log_group_arns" {
  description = "ARNs of the log groups that the key encrypts, without the trailing `:*`."
  type        = list(string)
}

variable "notifier" {
  description = "Service that sends notifications to an encrypted queue, and ARN of its bucket or rule."
  type = object({
    service = string
    arn     = string
  })
}

variable "budget_notices" {
  description = "Whether the account's budgets may use the key to publish to an encrypted topic."
  type        = bool
  default     = false
}

variable "trusted_account_ids" {
  description = "Accounts that may use the key for objects in `trusted_bucket_arns`."
  type        = list(string)
  default     = []
}

variable "trusted_bucket_arns" {
  description = "ARNs of the buckets that these accounts may use the key for."
  type        = list(string)
  default     = []
}

variable "deletion_window_days" {
  description = "Waiting period, in days, before a destroyed key is deleted for good and everything it encrypted becomes unreadable."
  type        = number
  default     = 30

  validation {
    condition     = var.deletion_window_days >= 7 && var.deletion_window_days <= 30
    error_message = "deletion_window_days is ${var.deletion_window_days}, but KMS allows 7 to 30."
  }
}

variable "tags" {
  description = "Tags for all resources of the module."
  type        = map(string)
  default     = {}
}

variable "name" {
  description = "Name of the state machine."
  type        = string
}

variable "arn" {
  description = "ARN that the state machine will have, the only one that may assume the role."
  type        = string
}

variable "has_map_runs" {
  description = "Whether the definition has a Distributed Map, whose children may assume the role, too."
  type        = bool
  default     = false
}

variable "type" {
  description = "STANDARD or EXPRESS."
  type        = string
}

variable "definition" {
  description = "Definition of the state machine in the Amazon States Language."
  type        = string
}

variable "function_arns" {
  description = "ARNs of the functions that the definition invokes."
  type        = list(string)
  default     = []
}

variable "policy_statements" {
  description = "What else the state machine's role may do."
  type = list(object({
    sid       = string
    actions   = list(string)
    resources = list(string)
    condition = optional(map(map(list(string))), {}) # as in IAM: operator, key, values
  }))
  default = []
}

variable "role_name" {
  description = "Name of the state machine's role, unique in the account."
  type        = string
}

variable "role_path" {
  description = "IAM path of the role."
  type        = string
  default     = "/"
}

variable "permissions_boundary_arn" {
  description = "ARN of the policy that is the role's permissions boundary; null for none."
  type        = string
  default     = null
}

variable "kms_key_arn" {
  description = "ARN of the key that encrypts the log group."
  type        = string
}

variable "log_group" {
  description = "Name of the log group, under /aws/vendedlogs/ as AWS advises for logs that a service delivers."
  type        = string

  validation {
    condition     = startswith(var.log_group, "/aws/vendedlogs/")
    error_message = "log_group is ${var.log_group}, but must begin with /aws/vendedlogs/."
  }
}

variable "log_class" {
  description = "Class of the log group: STANDARD or INFREQUENT_ACCESS."
  type        = string
}

variable "log_level" {
  description = "Events to log: ALL, ERROR, FATAL or OFF."
  type        = string
}

variable "log_execution_data" {
  description = "Whether logged events include the input and output of states."
  type        = bool
}

variable "log_retention_days" {
  description = "Days to keep the logs."
  type        = number
}

variable "tracing" {
  description = "Whether X-Ray traces executions."
  type        = bool
}

variable "tags" {
  description = "Tags for all resources of the module."
  type        = map(string)
  default     = {}
}

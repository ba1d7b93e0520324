variable "name" {
  description = "Name of the function."
  type        = string
}

variable "description" {
  description = "What the function does, in one sentence."
  type        = string
}

variable "role_name" {
  description = "Name of the function's role, unique in the account."
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

variable "policy_statements" {
  description = "What the function may do, in addition to writing logs and traces."
  type = list(object({
    sid       = string
    actions   = list(string)
    resources = list(string)
    condition = optional(map(map(list(string))), {}) # as in IAM: operator, key, values
  }))
}

variable "handler" {
  description = "Python module and attribute that Lambda invokes."
  type        = string
}

variable "runtime" {
  description = "Lambda runtime."
  type        = string
}

variable "architecture" {
  description = "Processor architecture."
  type        = string
}

variable "package" {
  description = "The zip with the code: a file with its SHA-256, or an object in a bucket."
  type = object({
    file   = optional(string)
    hash   = optional(string) # in base64; the code is deployed again when it changes
    bucket = optional(string)
    key    = optional(string)
  })
}

variable "layers" {
  description = "ARNs of the layer versions that the function uses."
  type        = list(string)
  default     = []
}

variable "environment" {
  description = "Environment variables."
  type        = map(string)
}

variable "memory_mb" {
  description = "Memory in MB; the processor share grows with it, up to a whole processor at 1,769 MB."
  type        = number
}

variable "timeout_seconds" {
  description = "Seconds after which Lambda ends an invocation."
  type        = number
}

variable "reserved_concurrency" {
  description = "Concurrent invocations that are reserved for the function and also limit it; null shares the account's."
  type        = number
  default     = null
}

variable "snap_start" {
  description = "Whether new environments start from a snapshot of an initialised one."
  type        = bool
  default     = false
}

variable "kms_key_arn" {
  description = "ARN of the key that encrypts the log group and the environment variables."
  type        = string
}

variable "log_group" {
  description = "Name of the function's log group."
  type        = string
}

variable "log_retention_days" {
  description = "Days to keep the logs."
  type        = number
}

variable "log_format" {
  description = "Format of the lines that Lambda itself logs: Text or JSON."
  type        = string
}

variable "system_log_level" {
  description = "Minimum level of these lines, in the format JSON: DEBUG, INFO or WARN."
  type        = string
  default     = "INFO"
}

variable "tracing" {
  description = "Whether X-Ray traces the function."
  type        = bool
}

variable "tags" {
  description = "Tags for all resources of the module."
  type        = map(string)
  default     = {}
}

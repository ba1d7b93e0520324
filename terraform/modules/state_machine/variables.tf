variable "name" {
  description = "Name of the state machine."
  type        = string
}

variable "arn" {
  description = "ARN that the state machine will have: only it may take the role."
  type        = string
}

variable "type" {
  description = "STANDARD or EXPRESS."
  type        = string
}

variable "definition" {
  description = "The state machine in the Amazon States Language."
  type        = string
}

variable "function_arns" {
  description = "ARNs of the functions that the definition calls."
  type        = list(string)
}

variable "role_name" {
  description = "Name of the state machine's role, unique in the account."
  type        = string
}

variable "kms_key_arn" {
  description = "ARN of the key that encrypts the log group."
  type        = string
}

variable "log_group" {
  description = "Name of the log group; under /aws/vendedlogs/, as AWS advises for logs that a service delivers."
  type        = string

  validation {
    condition     = startswith(var.log_group, "/aws/vendedlogs/")
    error_message = "log_group is ${var.log_group}, but must begin with /aws/vendedlogs/."
  }
}

variable "log_level" {
  description = "Which events are logged: ALL, ERROR, FATAL or OFF."
  type        = string
}

variable "log_execution_data" {
  description = "Whether the log carries the states' input and output."
  type        = bool
}

variable "log_retention_days" {
  description = "Days for which the logs are kept."
  type        = number
}

variable "tracing" {
  description = "Whether executions are traced by X-Ray."
  type        = bool
}

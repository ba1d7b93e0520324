variable "name" {
  description = "Name of the API."
  type        = string
}

variable "function_name" {
  description = "Name of the function that takes the uploads."
  type        = string
}

variable "function_invoke_arn" {
  description = "ARN by which API Gateway calls that function."
  type        = string
}

variable "function_qualifier" {
  description = "Alias of that function that API Gateway may call; null for the function itself."
  type        = string
  default     = null
}

variable "jwt" {
  description = "Issuer, audiences and scopes of the tokens that may upload; null asks for requests signed with IAM credentials instead."
  type = object({
    issuer   = string
    audience = list(string)
    scopes   = optional(list(string))
  })
  default = null
}

variable "requests_per_second" {
  description = "Requests per second that are let through in the long run."
  type        = number
}

variable "burst" {
  description = "Requests that are let through at once."
  type        = number
}

variable "kms_key_arn" {
  description = "ARN of the key that encrypts the log group."
  type        = string
}

variable "log_group" {
  description = "Name of the log group for the access log."
  type        = string
}

variable "log_retention_days" {
  description = "Days for which the access log is kept."
  type        = number
}

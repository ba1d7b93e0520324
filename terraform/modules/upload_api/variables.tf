variable "name" {
  description = "Name of the API."
  type        = string
}

variable "function_name" {
  description = "Name of the function that handles uploads."
  type        = string
}

variable "function_invoke_arn" {
  description = "ARN by which API Gateway invokes that function."
  type        = string
}

variable "function_qualifier" {
  description = "Alias of that function to invoke; null for the function itself."
  type        = string
  default     = null
}

variable "jwt" {
  description = "JWT authorizer settings; null uses IAM authorization."
  type = object({
    issuer   = string                 # https:// address from which the keys of the tokens are fetched
    audience = list(string)           # a token must have one of these
    scopes   = optional(list(string)) # a token must have one of these; null requires none
  })
  default = null
}

variable "requests_per_second" {
  description = "Sustained rate of requests that are let through."
  type        = number
}

variable "burst" {
  description = "Number of requests that are let through at once."
  type        = number
}

variable "cors_origins" {
  description = "Origins of web pages whose scripts may call the API; an empty list admits none."
  type        = list(string)
  default     = []
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
  description = "Days to keep the access log."
  type        = number
}

variable "tags" {
  description = "Tags for all resources of the module."
  type        = map(string)
  default     = {}
}

variable "name" {
  description = "Name of the table."
  type        = string
}

variable "kms_key_arn" {
  description = "ARN of the key that encrypts the records."
  type        = string
}

variable "deletion_protection" {
  description = "Whether the table is protected against deletion, including by `terraform destroy`."
  type        = bool
  default     = false
}

variable "tags" {
  description = "Tags for all resources of the module."
  type        = map(string)
  default     = {}
}

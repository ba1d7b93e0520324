variable "name" {
  description = "Name of the table."
  type        = string
}

variable "kms_key_arn" {
  description = "ARN of the key that encrypts the records."
  type        = string
}

variable "deletion_protection" {
  description = "Whether the table refuses to be deleted, by `terraform destroy` too."
  type        = bool
  default     = false
}

variable "bucket" {
  description = "Name of the bucket with the photographs."
  type        = string
}

variable "bucket_kms_key_arn" {
  description = "ARN of the KMS key that encrypts the bucket; null for S3's own keys (SSE-S3)."
  type        = string
  default     = null
}

variable "name" {
  description = "Name of the stack."
  type        = string
  default     = "photographs"
}

variable "package_dir" {
  description = "Folder with the output of `make package`; null means the one in this repository."
  type        = string
  default     = null
}

variable "force_destroy" {
  description = "Whether `terraform destroy` may delete the destination bucket if it still contains images."
  type        = bool
  default     = false
}

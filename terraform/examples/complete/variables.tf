variable "name" {
  description = "Name of the stack."
  type        = string
  default     = "pictures"
}

variable "package_dir" {
  description = "Folder with the output of `make package`; null means the one in this repository."
  type        = string
  default     = null
}

variable "trusted_account_ids" {
  description = "Other accounts that may upload and read."
  type        = list(string)
  default     = []
}

variable "upload_cors_origins" {
  description = "Origins of the web pages that upload."
  type        = list(string)
  default     = ["https://pictures.example.com"]
}

variable "force_destroy" {
  description = "Whether `terraform destroy` may delete buckets that still contain images."
  type        = bool
  default     = false
}

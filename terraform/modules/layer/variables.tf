variable "name" {
  description = "Name of the layer."
  type        = string
}

variable "description" {
  description = "What the layer holds."
  type        = string
}

variable "package_file" {
  description = "Path of the layer's zip."
  type        = string
}

variable "package_hash" {
  description = "SHA-256 of the zip, in base64; a new version is published when it changes."
  type        = string
}

variable "runtime" {
  description = "Lambda runtime that the libraries were built for."
  type        = string
}

variable "architecture" {
  description = "Processor architecture that the libraries were built for."
  type        = string
}

# The output of `make package`: two zips, and a manifest that says which runtime and architecture they were built for. Or
# zips that a pipeline has uploaded to S3, without a manifest.

locals {
  # Without the prefix, because a layer is replaced when its path changes, and a root's path was once "../build/package".
  package_dir = coalesce(var.package_dir, trimprefix("${path.module}/../build/package", "./"))
  manifest    = var.package_s3 == null ? try(jsondecode(file("${local.package_dir}/manifest.json")), null) : null

  # Without a package a stack can still be destroyed: these defaults then replace the manifest's values.
  runtime      = try(local.manifest.runtime, coalesce(var.runtime, "python3.13"))
  architecture = try(local.manifest.architecture, coalesce(var.architecture, "arm64"))

  # Each is either a file with its hash, or an object in a bucket.
  artifacts = {
    for artifact in ["functions", "layer"] : artifact => {
      file   = var.package_s3 == null ? "${local.package_dir}/${try(local.manifest.artifacts[artifact].file, "${artifact}.zip")}" : null
      hash   = var.package_s3 == null ? try(local.manifest.artifacts[artifact].sha256_base64, "") : null
      bucket = try(var.package_s3.bucket, null)
      key    = try(var.package_s3["${artifact}_key"], null)
    }
  }

  wanted = {
    runtime      = var.runtime == null ? local.runtime : var.runtime
    architecture = var.architecture == null ? local.architecture : var.architecture
  }
  # What the layer must be able to write besides PNG and JPEG.
  extra_formats = sort(setsubtract(local.renditions[*].format, ["png", "jpeg"]))

  make_package = join(" ", compact([
    "make package",
    var.runtime == null ? "" : "RUNTIME=${var.runtime}",
    var.architecture == null ? "" : "ARCHITECTURE=${var.architecture}",
    length(local.extra_formats) == 0 ? "" : "FORMATS=${join(",", local.extra_formats)}",
  ]))
}

# Creates nothing: its preconditions fail the plan if the package is missing or wrong.
resource "terraform_data" "package" {
  lifecycle {
    precondition {
      condition     = local.manifest != null || var.package_s3 != null
      error_message = "There is no package in ${local.package_dir}. Run `${local.make_package}` first."
    }

    precondition {
      condition = local.manifest == null || (
        local.wanted.runtime == local.runtime && local.wanted.architecture == local.architecture
      )
      error_message = join(" ", [
        "The package in ${local.package_dir} was built for ${local.runtime} on ${local.architecture},",
        "but the variables ask for ${local.wanted.runtime} on ${local.wanted.architecture}.",
        "Run `${local.make_package}`.",
      ])
    }

    precondition {
      condition = local.manifest == null || length(setsubtract(local.extra_formats, try(local.manifest.formats, []))) == 0
      error_message = join(" ", [
        "renditions has the formats ${join(", ", distinct(local.renditions[*].format))}, but the package in ${local.package_dir}",
        "was built for ${join(", ", try(local.manifest.formats, ["png", "jpeg"]))}. Run `${local.make_package}`.",
      ])
    }

    precondition {
      condition = alltrue([for needed in values(local.rendition_bytes) : needed <= local.memory_of_pixels])
      error_message = join(" ", [
        "renditions has sizes that do not fit into the memory of resize_image:",
        join(", ", [
          for name, needed in local.rendition_bytes :
          "${name} takes up to ${ceil(needed / local.bytes_per_mb)} MB of ${floor(local.memory_of_pixels / local.bytes_per_mb)}"
          if needed > local.memory_of_pixels
        ]),
        "in the largest case. Make them smaller, or increase functions.resize_image.memory_mb.",
      ])
    }

    precondition {
      condition = local.runtime != "python3.11" || !anytrue([for settings in values(var.functions) : try(tobool(settings.snap_start), false) == true])
      error_message = join(" ", [
        "functions has snap_start, but the package was built for python3.11, and Lambda",
        "supports snapshots from python3.12 on. Omit snap_start, or run `make package RUNTIME=python3.13`.",
      ])
    }

    precondition {
      condition = local.manifest == null || alltrue([
        for artifact in local.artifacts : try(filebase64sha256(artifact.file), "") == artifact.hash
      ])
      error_message = "The zips in ${local.package_dir} do not match its manifest. Run `${local.make_package}`."
    }
  }
}

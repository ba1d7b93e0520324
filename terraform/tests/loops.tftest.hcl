# A source that is its own destination would convert its own PNGs: it is refused, however it comes about.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  package_dir = "./tests/package"
}

run "destination_by_name_is_the_source_that_derives_from_the_stacks" {
  command = plan

  variables {
    bucket_names = { destination = "image-converter-source-123456789012-eu-central-1" }
  }

  expect_failures = [output.source_bucket]
}

run "access_logs_by_name_are_the_destination_that_derives_from_the_stacks" {
  command = plan

  variables {
    bucket_names = { access_logs = "image-converter-destination-123456789012-eu-central-1" }
  }

  expect_failures = [output.source_bucket]
}

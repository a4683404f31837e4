"""The plugins that come with timbot. Each is named in a configuration by its bare name."""

"""The verbs behind `Client`, one file per noun. Method names are the SDK's, in snake_case."""

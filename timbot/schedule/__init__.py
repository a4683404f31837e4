"""When jobs run: cron lines, intervals and dates become fire times."""

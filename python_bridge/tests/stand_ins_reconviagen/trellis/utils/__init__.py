"""What of upstream's tools is called."""

"""Every word of the language and every primitive of the plan."""

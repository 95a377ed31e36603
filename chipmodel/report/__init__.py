"""Tables, findings and figures out of solutions."""

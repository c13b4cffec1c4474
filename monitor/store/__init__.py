"""What the monitor remembers: all SQL lives here. Functions take a connection first and never commit."""

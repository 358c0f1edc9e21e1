"""PUT IT UP AND PLAY IT: service and proxy as children, their addresses, the driver that plays a timeline."""

"""What people can be asked: purposes, the notices that ask, who asks, how a manifest is read and published."""

"""Digital networks taken from trained analog ones."""

from tikitaka.network import Network

__all__ = ["average", "last_read"]


def last_read(network: Network, *, draw: int = 0) -> Network:
    """The digital network of one noisy read of every column, as the hardware can do it, with the noise of `draw`."""
    return network.digital(network.read_weights(draw=draw))


def average(network: Network) -> Network | None:
    """The digital network of the running averages gathered while training; None if the rule gathered none."""
    averages = network.averages
    return None if averages is None else network.digital(averages)

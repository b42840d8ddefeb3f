"""What tissues outside the axis see: androgen and estradiol in the units in which studies state their effects."""

from leydig.physiology import steroids
from leydig.units import from_molar


def androgen(state: steroids.State, p: steroids.Parameters):
    """Androgen as ng/dL of total testosterone in a man with reference SHBG; DHT counts by its potency."""
    seen = steroids.androgen(state.free_testosterone, state.free_dihydrotestosterone, p)
    return _as_total(seen, p)


def androgen_at_rest(free_testosterone, p: steroids.Parameters):
    """The same of a man at rest, from his free testosterone (nmol/L)."""
    return _as_total(steroids.androgen(free_testosterone, free_dihydrotestosterone_at_rest(free_testosterone, p), p), p)


def _as_total(seen, p: steroids.Parameters):
    reference = steroids.free_testosterone(p.reference_testosterone, p.reference_SHBG, p)
    reference_DHT = free_dihydrotestosterone_at_rest(reference, p)
    scale = p.reference_testosterone / steroids.androgen(reference, reference_DHT, p)
    return from_molar("testosterone", seen * scale)


def free_dihydrotestosterone_at_rest(free_testosterone, p: steroids.Parameters):
    """Free DHT (nmol/L) of a man at rest: the reference man's, moved by saturable reduction of his own T."""
    reference = steroids.free_testosterone(p.reference_testosterone, p.reference_SHBG, p)
    per_free = steroids.total_dihydrotestosterone(1.0, reference, p.reference_SHBG, p)
    own = free_testosterone / (p.reduction_half + free_testosterone)
    return p.dihydrotestosterone_reference / per_free * own * (p.reduction_half + reference) / reference


def estradiol(free_estradiol, state: steroids.State, capacity: steroids.Capacity, p: steroids.Parameters):
    """Total estradiol (pg/mL) that goes with free estradiol (pmol/L) in this man's blood."""
    more = state.free_dihydrotestosterone - capacity.free_dihydrotestosterone
    total = steroids.total_estradiol(free_estradiol, state.free_testosterone, state.SHBG, p, more)
    return from_molar("estradiol", total)

"""What each prior does and when to change it, in plain words; its numbers and where they come from are in ``priors``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PriorText:
    """What a prior does in the model, and when a user should change it."""

    does: str
    change: str


_BIAS = (
    "The log of what {who} say over the truth. Of the total spread, the part `mean_sd` is shared by all of "
    "them: however many "
    "speak, they do not average it away."
)
_LAG = "How old the figures of {who} are when they are published without a date of their own."

TEXTS: dict[str, PriorText] = {
    "contact_rate": PriorText(
        "Losses a day from the first contact to the escalation.",
        "If the campaign opens with heavy fighting, or the first phase is long enough for its losses to count.",
    ),
    "escalation_rate": PriorText(
        "Losses a day when the escalation begins. With few claims it carries the total and the date.",
        "Scale it with the force: 0.1% to 2.3% of the strength a day. It is in persons, so a force of "
        "another size needs another "
        "number.",
    ),
    "long_run_fraction": PriorText(
        "The share of the force lost a day to which the rate returns. The forecast goes there, so it carries "
        "the forecast date.",
        "For a force held in reserve (lower), or one that is sent into assaults without pause (higher).",
    ),
    "rate_sd": PriorText(
        "How far the rate wanders around its level: 0.8 is a factor of 2.2 either way, two times out of three.",
        "If the fighting is known to be even, or to come in bursts.",
    ),
    "rate_half_life": PriorText(
        "How long a burst or a lull lasts before half of it is gone. Long ones let the last weeks' rate go "
        "on in the forecast.",
        "For a campaign of long operations (longer) or of short raids (shorter).",
    ),
    "pause_rate": PriorText(
        "Losses a day in a reported pause.",
        "If the force is withdrawn out of range (lower) or only off the assaults (higher). Without a known "
        "pause it does nothing.",
    ),
    "resume_rate": PriorText(
        "Losses a day when fighting resumes after a pause.",
        "As `escalation_rate`: scale it with the force. Without a known resumption it does nothing.",
    ),
    "constant_rate": PriorText(
        "Losses a day under `ConstantRate`, one rate from the onset. With the reporting option `intensity` "
        "its median is also the "
        "rate that an adversary's bias is measured from.",
        "When you use that curve; then as `escalation_rate`.",
    ),
    "contingent_size": PriorText(
        "How many there are to lose. It sets the depletion date together with the rate, and caps the losses so far.",
        "In the campaign file, for every force of its own.",
    ),
    "killed_share": PriorText(
        "Killed as a share of killed and wounded. It ties claims of killed and of wounded to claims of both.",
        "For fighting with poor evacuation, or where few are taken prisoner (higher); for a force with good "
        "medical care (lower).",
    ),
    "bias_adversary": PriorText(
        _BIAS.format(who="those fighting the contingent")
        + " The level of every total rests on it where adversaries speak most: no claim can tell a common overstatement.",
        "If you hold the adversary's counts to be better or worse than in the published study; see what the "
        "answer does before "
        "you trust it.",
    ),
    "bias_own_side": PriorText(
        _BIAS.format(who="the contingent's own side"),
        "If the own side publishes names or obituaries (nearer to 0), or denies losses altogether (lower).",
    ),
    "bias_third_party": PriorText(
        _BIAS.format(who="governments and services that do not fight"),
        "If the third parties rely on one side's figures: then give them that side's direction, or mark them "
        "as copies.",
    ),
    "bias_analyst": PriorText(
        _BIAS.format(who="analysts"),
        "As `bias_third_party`; analysts who compute from others' figures should not be evidence at all.",
    ),
    "bias_group_sd": PriorText(
        "What sources of one group, such as two offices of one government, share beyond their stance.",
        "Raise it if members of a group draw on one assessment; set 0 if they count on their own.",
    ),
    "bias_killed_adversary": PriorText(
        "How much more an adversary overstates killed than killed and wounded together, in log units.",
        "Set 0 if the bias priors are already for deaths.",
    ),
    "killed_share_source_sd": PriorText(
        "How far a source's own split into killed and wounded may lie from the truth. It weakens what a "
        "figure for killed alone "
        "says of the total.",
        "Lower it if sources count the dead by name.",
    ),
    "claim_error": PriorText(
        "How far a figure strays from its source's own level. Small errors make later figures of one source "
        "tell the rate.",
        "If a source's figures jump about, or are revised; the claims inform it once there are several.",
    ),
    "claim_error_killed": PriorText(
        "The same for figures of killed and for killed shares.",
        "As `claim_error`; the family `SameAsTotals` makes it the error of totals.",
    ),
    "killed_share_walk_sd": PriorText(
        "How fast the killed share changes over the months, where one source speaks of it at dates four "
        "weeks apart or more.",
        "Set 0 for a constant share; raise it where the kind of fighting changes.",
    ),
    "captured_ratio": PriorText(
        "Captured for each one killed or wounded; added to the losses only if a claim gives a figure for captured.",
        "For wars with mass surrenders.",
    ),
    "missing_ratio": PriorText(
        "Missing for each one killed or wounded; added to the losses only if a claim gives a figure for missing.",
        "For retreats, or where the dead are not recovered.",
    ),
    "lag_adversary": PriorText(
        _LAG.format(who="those fighting the contingent"),
        "If they publish a count of the day before (shorter) or of the month (longer).",
    ),
    "lag_own_side": PriorText(
        _LAG.format(who="the contingent's own side"),
        "If it publishes late, or only on occasions.",
    ),
    "lag_third_party": PriorText(
        _LAG.format(who="governments and services that do not fight"),
        "If an assessment takes weeks to be cleared: a longer delay means more losses by today.",
    ),
    "lag_analyst": PriorText(
        _LAG.format(who="analysts"),
        "If they publish weekly or monthly.",
    ),
    "briefing_share": PriorText(
        "What the figures of one briefing have in common of their errors: at 1 two of them say no more than one.",
        "Raise it if killed and wounded of a briefing come from one count.",
    ),
    "deployed_error": PriorText(
        "How far a figure for those deployed strays from its source's level.",
        "Raise it where estimates of strength are guesses.",
    ),
    "present_error": PriorText(
        "How far a figure for those present strays: fewer claims of that kind, and a moving number.",
        "As `deployed_error`.",
    ),
    "movement_error": PriorText(
        "How far a figure for reinforcements, for wounded back on duty or for wounded sent home strays.",
        "Lower it where such numbers are counted rather than estimated.",
    ),
    "evacuated_fraction": PriorText(
        "Wounded who are sent home for good. It moves the net strength and the net date, not the losses.",
        "For a force that treats its wounded near the front (lower) or sends them away (higher).",
    ),
    "return_fraction": PriorText(
        "Of the other wounded, those who come back to duty. It moves the net strength and the net date, not "
        "the losses.",
        "If light wounds are counted as wounded (higher).",
    ),
    "return_delay": PriorText(
        "Days from wound to duty. It moves the net strength and the net date, not the losses.",
        "If light wounds are counted as wounded (shorter).",
    ),
    "floor_slack": PriorText(
        "By how much `over 3,000` may undersell the source's own estimate: the chance of one more unit of "
        "slack, so that 0.5 "
        "is one unit on average. Each stance has its own.",
        "Towards 0 if sources raise their round number as soon as they can; higher if they stay with an old one.",
    ),
    "source_drift_sd": PriorText(
        "How fast a source's bias moves, with the reporting option `drift` alone.",
        "When the check `drifting_sources` calls for drift, or a source changed its method.",
    ),
    "adversary_intensity": PriorText(
        "How much more an adversary overstates when the fighting is heavier, with the reporting option "
        "`intensity` alone.",
        "When you use that option; 0 is no such effect.",
    ),
    "deployed_source_sd": PriorText(
        "How far a source's own level of figures for those deployed may lie from the truth.",
        "Raise it where sources mean different troops by the word.",
    ),
}

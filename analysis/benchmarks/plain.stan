// The January problem in Stan: the same model and priors; with shifted = 1, in this package's parametrisation.
functions {
  // a running total (0 first) at a fractional place, averaged over the day around it
  real smooth(vector total, real place) {
    int last = rows(total) - 1;
    real inside = fmin(fmax(place, 0), last);
    int near = 0;
    while (near < last && near + 0.5 <= inside) near += 1;
    real t = inside - near;
    real before = near == 0 ? 0 : total[near];
    real after = near == last ? 2 * total[last + 1] - total[last] : total[near + 2];
    return 0.5 * square(0.5 - t) * before + (0.75 - square(t)) * total[near + 1] + 0.5 * square(0.5 + t) * after;
  }
  // the same, linear within the day
  real straight(vector total, real place) {
    int last = rows(total) - 1;
    real inside = fmin(fmax(place, 0), last);
    int left = 0;
    while (left < last - 1 && left + 1 <= inside) left += 1;
    return total[left + 1] + (inside - left) * (total[left + 2] - total[left + 1]);
  }
  // log probability that a logistic variable lies between logs of the ends; a high of 1e9 is none
  real log_cell(real low, real high, real center, real scale) {
    real z_low = (log(low) - center) / scale;
    real above = -log1p_exp(z_low);
    if (high >= 1e9) return above;
    real width = log(high / low) / scale;
    return above - log1p_exp(-z_low - width) + log1m_exp(-width);
  }
  // "over 3,000" is that cell or, with geometrically falling probability, one of seven above it
  real log_claim(real low, real high, real unit, real center, real scale, vector log_weight) {
    if (unit == 0) return log_cell(low, high, center, scale);
    vector[8] parts;
    for (k in 1:8) parts[k] = log_weight[k] + log_cell(low + (k - 1) * unit, high + (k - 1) * unit, center, scale);
    return log_sum_exp(parts);
  }
}
data {
  int<lower=0, upper=1> shifted;
  int days;
  int onset;
  real onset_sd;
  real onset_latest;
  int knots;
  array[days] int knot_left;
  vector[days] knot_weight;
  int sources;
  int groups;
  array[sources] int kind;
  array[sources] int group;
  vector[sources] group_sd;
  vector[sources] own_sd;
  vector[sources] killed_shift;
  vector[4] stance_mean;
  vector[4] stance_sd;
  vector[sources] lag_log_median;
  vector[sources] lag_sd;
  int claims;
  array[claims] int source;
  array[claims] int category;
  array[claims] int start;
  vector[claims] end;
  vector[claims] lagged;
  vector[claims] low;
  vector[claims] high;
  vector[claims] unit;
  array[claims] int briefing;
  int briefings;
  vector[sources] shift_scale;
  vector[sources] shift_end;
  vector[sources] shift_lagged;
  vector[sources] shift_log_value;
  vector[sources] shift_killed;
  vector[knots + 1] shift_window;
  real shift_middle;
  array[2] real prior_size;
  array[2] real prior_share;
  array[2] real prior_error;
  array[2] real prior_error_killed;
  array[2] real prior_contact;
  array[2] real prior_escalation;
  array[2] real prior_long_run_fraction;
  array[2] real prior_rate_sd;
  array[2] real prior_half_life;
  array[2] real prior_slack;
  array[2] real prior_evacuated;
  array[2] real prior_returning;
  array[2] real prior_return_delay;
  real deployed_error;
  real present_error;
  real deployed_source_sd;
  real killed_share_source_sd;
  real briefing_share;
}
transformed data {
  real root3_pi = sqrt(3) / pi();
}
parameters {
  real<offset=prior_size[1], multiplier=prior_size[2]> log_size;
  real<lower=0, upper=1> share;
  real<offset=prior_error[1], multiplier=prior_error[2]> log_error;
  real<offset=prior_error_killed[1], multiplier=prior_error_killed[2]> log_error_killed;
  real<offset=prior_contact[1], multiplier=prior_contact[2]> log_contact;
  real<offset=prior_long_run_fraction[1], multiplier=prior_long_run_fraction[2]> log_long_run_fraction;
  real<offset=prior_rate_sd[1], multiplier=prior_rate_sd[2]> log_rate_sd;
  real<offset=prior_half_life[1], multiplier=prior_half_life[2]> log_half_life;
  real<lower=-5, upper=onset_latest> late;
  vector[knots] innovation;
  real escalation;
  vector[4] stance;
  vector[groups] group_effect;
  vector<offset=lag_log_median, multiplier=lag_sd>[sources] log_lag;
  vector[sources] own;
  vector[sources] killed_logit;
  vector<lower=0, upper=1>[4] slack;
  vector[briefings] common;
  vector[sources] headcount;
  real<lower=0, upper=1> evacuated;
  real<lower=0, upper=1> returning;
  real<offset=prior_return_delay[1], multiplier=prior_return_delay[2]> log_return_delay;
}
transformed parameters {
  real size = exp(log_size);
  real error = exp(log_error);
  real error_killed = exp(log_error_killed);
  real contact = exp(log_contact);
  real long_run_fraction = exp(log_long_run_fraction);
  real rate_sd = exp(log_rate_sd);
  real half_life = exp(log_half_life);
  real return_delay = exp(log_return_delay);
  vector[sources] lag = exp(log_lag);
  vector[days + 1] total;
  real intended;
  vector[4] stance_bias = stance_mean + stance_sd .* stance;
  vector[sources] source_bias;
  vector[sources] reported;
  vector[sources] own_mean;
  vector[sources] killed_mean;
  real escalation_mean;
  {
    real begins = onset + onset_sd * late;
    real phi = 2 ^ (-1 / half_life);
    real step = sqrt(1 - square(phi));
    real log_level = log_long_run_fraction + log_size;
    vector[knots + 1] walk;
    walk[1] = 0;
    for (k in 1:knots) walk[k + 1] = phi * walk[k] + step * innovation[k];
    escalation_mean = 0;
    if (shifted) {
      real halfway = 1 - 2 ^ (-shift_middle / 7 / half_life);
      escalation_mean = (rate_sd * dot_product(shift_window, walk) + halfway * (log_level - prior_escalation[1]))
                        / prior_escalation[2];
    }
    real log_escalation = prior_escalation[1] + prior_escalation[2] * (escalation - escalation_mean);
    intended = 0;
    total[1] = 0;
    for (d in 1:days) {
      real day = d - 1;
      real wave = rate_sd * (walk[knot_left[d] + 1] * (1 - knot_weight[d]) + walk[knot_left[d] + 2] * knot_weight[d]);
      real back = 1 - 2 ^ (-fmax(day - 0.5 - begins, 0) / 7 / half_life);
      real gate = fmin(fmax(day - begins, 0), 1);
      intended += contact * fmin(day, 1) * (1 - gate)
                + gate * exp(log_escalation + (log_level - log_escalation) * back + wave);
      // nobody is lost twice
      total[d + 1] = intended * exp(-log1p_exp(16 * (log(intended + 1e-9) - log_size)) / 16);
    }
    real log_odds = logit(share);
    for (s in 1:sources) {
      real both = stance_bias[kind[s] + 1] + group_sd[s] * group_effect[group[s] + 1];
      own_mean[s] = 0;
      killed_mean[s] = 0;
      if (shifted) {
        real place = fmax(shift_end[s] - shift_lagged[s] * lag[s], 1);
        real spoken = log(fmax(smooth(total, place), 1e-9)) - shift_log_value[s];
        own_mean[s] = shift_scale[s] * (both + spoken);
        killed_mean[s] = shift_killed[s] * (log_odds + 1);
      }
      source_bias[s] = both + own_sd[s] * (own[s] - own_mean[s]);
      reported[s] = log_odds + killed_share_source_sd * (killed_logit[s] - killed_mean[s]);
    }
  }
}
model {
  log_size ~ normal(prior_size[1], prior_size[2]);
  share ~ beta(prior_share[1], prior_share[2]);
  log_error ~ normal(prior_error[1], prior_error[2]);
  log_error_killed ~ normal(prior_error_killed[1], prior_error_killed[2]);
  log_contact ~ normal(prior_contact[1], prior_contact[2]);
  log_long_run_fraction ~ normal(prior_long_run_fraction[1], prior_long_run_fraction[2]);
  log_rate_sd ~ normal(prior_rate_sd[1], prior_rate_sd[2]);
  log_half_life ~ normal(prior_half_life[1], prior_half_life[2]);
  late ~ std_normal();
  innovation ~ std_normal();
  escalation ~ normal(escalation_mean, 1);
  stance ~ std_normal();
  group_effect ~ std_normal();
  log_lag ~ normal(lag_log_median, lag_sd);
  own ~ normal(own_mean, 1);
  killed_logit ~ normal(killed_mean, 1);
  slack ~ beta(prior_slack[1], prior_slack[2]);
  common ~ std_normal();
  headcount ~ std_normal();
  evacuated ~ beta(prior_evacuated[1], prior_evacuated[2]);
  returning ~ beta(prior_returning[1], prior_returning[2]);
  log_return_delay ~ normal(prior_return_delay[1], prior_return_delay[2]);
  array[4] vector[8] log_weight;
  for (k in 1:4) {
    real log_slack = log(slack[k]);
    real first = log1m(slack[k]) - log1m(slack[k] ^ 8);
    for (step in 1:8) log_weight[k][step] = first + (step - 1) * log_slack;
  }
  for (c in 1:claims) {
    int s = source[c] + 1;
    if (category[c] < 8) {
      // killed and wounded: a figure speaks of a day before its publication, by its source's delay
      real ending = fmax(end[c] - lag[s], start[c] + 1);
      real sd = category[c] == 1 ? error_killed : error;
      real center = log(smooth(total, ending) - total[start[c] + 1]) + source_bias[s];
      if (category[c] == 1) center += killed_shift[s] + log_inv_logit(reported[s]);
      if (category[c] == 2) center += log1m_inv_logit(reported[s]);
      real alone = 1;
      if (briefing[c] >= 0) {
        center += sd * sqrt(briefing_share) * common[briefing[c] + 1];
        alone = sqrt(1 - briefing_share);
      }
      target += log_claim(low[c], high[c], unit[c], center, sd * alone * root3_pi, log_weight[kind[s] + 1]);
    } else {
      // how many there are: the present, less the lost, with the wounded who came back
      real there = size;
      real sd = deployed_error;
      if (category[c] == 9) {
        real place = fmax(end[c] - lagged[c] * lag[s], 0);
        real returned = (1 - evacuated) * returning * (1 - share) * straight(total, place - return_delay);
        there = size - straight(total, place) + returned;
        sd = present_error;
      }
      real center = log(there) + deployed_source_sd * headcount[s];
      target += log_claim(low[c], high[c], unit[c], center, sd * root3_pi, log_weight[kind[s] + 1]);
    }
  }
  target += -log1p_exp(-(log_size - log(intended)) / 0.05);
}

{{ staged('resultScoreScales', [
    ('resultSourcedId', 'result_id', 'text'),
    ('scoreScaleSourcedId', 'scale_id', 'text'),
]) }}

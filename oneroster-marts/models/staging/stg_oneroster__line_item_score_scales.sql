{{ staged('lineItemScoreScales', [
    ('lineItemSourcedId', 'line_item_id', 'text'),
    ('scoreScaleSourcedId', 'scale_id', 'text'),
]) }}

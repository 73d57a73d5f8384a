{{ staged('demographics', [
    ('sourcedId', 'user_id', 'text'),
    ('sex', 'sex', 'text'),
    ('hispanicOrLatinoEthnicity', 'is_hispanic', 'yes_no'),
    ('demographicRaceTwoOrMoreRaces', 'is_two_or_more', 'yes_no'),
    ('americanIndianOrAlaskaNative', 'is_american_indian', 'yes_no'),
    ('asian', 'is_asian', 'yes_no'),
    ('blackOrAfricanAmerican', 'is_black', 'yes_no'),
    ('nativeHawaiianOrOtherPacificIslander', 'is_pacific_islander', 'yes_no'),
    ('white', 'is_white', 'yes_no'),
]) }}

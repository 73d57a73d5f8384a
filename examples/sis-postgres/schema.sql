-- A student information system in its own words, as such databases are: normalised, link tables, codes for words,
-- numbers of each table's own (student 17 and staff member 17 are two people), end dates that are the last day.
create schema sis;

create table sis.district (
    district_no integer primary key,
    name        text not null
);

create table sis.school (
    school_no   integer primary key,
    district_no integer not null references sis.district,
    name        text not null,
    state_id    text not null,
    low_grade   text not null,
    high_grade  text not null
);

create table sis.school_year (
    year_id    integer primary key,
    label      text not null,                     -- 2026-27
    first_day  date not null,
    last_day   date not null,                     -- inclusive
    is_current boolean not null
);

create table sis.term (
    term_id   integer primary key,
    year_id   integer not null references sis.school_year,
    within    integer references sis.term,        -- a quarter's semester
    kind      char(1) not null check (kind in ('S', 'Q')),
    name      text not null,
    first_day date not null,
    last_day  date not null                       -- inclusive
);

create table sis.student (
    student_no     integer primary key,
    state_id       text not null,                 -- has leading zeros
    last_name      text not null,
    first_name     text not null,
    middle_name    text,
    preferred_name text,
    gender         char(1),                       -- F, M, X
    birth_date     date,
    hispanic       boolean,
    email          text
);

create table sis.student_school (                 -- one row for each student and school
    student_no integer not null references sis.student,
    school_no  integer not null references sis.school,
    year_id    integer not null references sis.school_year,
    grade      char(2) not null,                  -- PK, K, 1 to 12: padded with a space
    is_home    boolean not null,                  -- false: visits some courses there
    entry_date date not null,
    exit_date  date,                              -- inclusive: the last day
    exit_code  char(3),
    primary key (student_no, school_no, year_id)
);

create table sis.student_race (                   -- none, one or several for each student
    student_no integer not null references sis.student,
    race       char(1) not null check (race in ('A', 'B', 'I', 'P', 'W')),
    primary key (student_no, race)
);

create table sis.staff (
    staff_no   integer primary key,
    last_name  text not null,
    first_name text not null,
    login      text not null,
    email      text,
    can_login  char(1) not null                   -- Y, N
);

create table sis.staff_job (                      -- one row for each job; some have two at one school
    staff_no   integer not null references sis.staff,
    school_no  integer references sis.school,     -- empty: works for the district
    job        char(1) not null check (job in ('T', 'P', 'C', 'A', 'D')),
    is_main    boolean not null,
    start_date date not null,
    end_date   date                               -- inclusive
);

create table sis.guardian (
    guardian_no integer primary key,
    last_name   text not null,
    first_name  text not null,
    email       text,
    phone       text
);

create table sis.student_guardian (
    student_no   integer not null references sis.student,
    guardian_no  integer not null references sis.guardian,
    relationship char(1) not null check (relationship in ('M', 'F', 'G', 'R')), -- mother, father, guardian, relative
    primary key (student_no, guardian_no)
);

create table sis.subject (
    subject_no integer primary key,
    name       text not null,
    sced_code  text not null                      -- has leading zeros
);

create table sis.course (
    course_no  integer primary key,
    school_no  integer not null references sis.school,
    code       text not null,
    title      text not null,
    low_grade  text not null,
    high_grade text not null
);

create table sis.course_subject (
    course_no  integer not null references sis.course,
    subject_no integer not null references sis.subject,
    primary key (course_no, subject_no)
);

create table sis.section (
    section_no integer primary key,
    course_no  integer not null references sis.course,
    year_id    integer not null references sis.school_year,
    letter     text not null,
    room       text,
    is_homeroom boolean not null
);

create table sis.section_term (                   -- a section of the whole year has both semesters
    section_no integer not null references sis.section,
    term_id    integer not null references sis.term,
    primary key (section_no, term_id)
);

create table sis.section_period (
    section_no integer not null references sis.section,
    period     integer not null,
    primary key (section_no, period)
);

create table sis.section_staff (                  -- several teachers, one of them the primary one
    section_no integer not null references sis.section,
    staff_no   integer not null references sis.staff,
    part       char(1) not null check (part in ('P', 'C')), -- primary, co-teacher
    start_date date not null,
    end_date   date,                              -- inclusive
    primary key (section_no, staff_no, start_date)
);

create table sis.section_student (                -- a student who dropped a section and came back has two rows
    section_no integer not null references sis.section,
    student_no integer not null references sis.student,
    entry      integer not null,
    status     char(1) not null check (status in ('A', 'D', 'P')), -- active, dropped, planned
    start_date date not null,
    end_date   date,                              -- inclusive
    primary key (section_no, student_no, entry)
);

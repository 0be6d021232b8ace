CREATE TABLE trainers (trainer_id INTEGER PRIMARY KEY, name TEXT, sport TEXT, age INTEGER, wage INTEGER);
CREATE TABLE athletes (athlete_id INTEGER PRIMARY KEY, name TEXT, gender TEXT, weight INTEGER, height INTEGER,
join_year INTEGER, trainer_id INTEGER, FOREIGN KEY (trainer_id) REFERENCES trainers(trainer_id));
CREATE TABLE workouts (workout_id INTEGER PRIMARY KEY, athlete_id INTEGER, day TEXT, minutes INTEGER,
calories INTEGER, FOREIGN KEY (athlete_id) REFERENCES athletes(athlete_id));

INSERT INTO trainers VALUES
(1, 'Rafael', 'boxing', 41, 52),
(2, 'Simone', 'yoga', 35, 40),
(3, 'Takeshi', 'judo', 55, 61),
(4, 'Ursula', 'rowing', 47, 48),
(5, 'Viktor', 'boxing', 29, 36),
(6, 'Wanda', 'yoga', 33, 43),
(7, 'Xavier', 'rowing', 38, 45),
(8, 'Yara', 'boxing', 26, 33);

INSERT INTO athletes VALUES
(1, 'Adam', 'male', 82, 181, 2019, 1),
(2, 'Beatriz', 'female', 61, 168, 2021, 2),
(3, 'Carlos', 'male', 95, 176, 2018, 1),
(4, 'Dora', 'female', 58, 163, 2022, 3),
(5, 'Emil', 'male', 74, 190, 2020, 4),
(6, 'Fatima', 'female', 66, 171, 2021, 2),
(7, 'Goran', 'male', 101, 187, 2017, 3),
(8, 'Helena', 'female', 55, 159, 2023, 6),
(9, 'Igor', 'male', 88, 184, 2021, 1),
(10, 'Julia', 'female', 70, 175, 2019, 4),
(11, 'Kenji', 'male', 67, 170, 2022, 3),
(12, 'Laura', 'female', 63, 166, 2020, 2),
(13, 'Mateus', 'male', 79, 178, 2023, 5),
(14, 'Nadia', 'female', 72, 173, 2021, 1);

INSERT INTO workouts VALUES
(1, 1, 'Monday', 60, 540),
(2, 2, 'Monday', 45, 210),
(3, 3, 'Tuesday', 90, 870),
(4, 4, 'Tuesday', 50, 430),
(5, 5, 'Wednesday', 75, 690),
(6, 6, 'Monday', 40, 190),
(7, 7, 'Friday', 80, 760),
(8, 1, 'Wednesday', 55, 500),
(9, 9, 'Friday', 65, 610),
(10, 10, 'Wednesday', 70, 580),
(11, 2, 'Friday', 30, 150),
(12, 11, 'Tuesday', 85, 720),
(13, 3, 'Friday', 100, 930),
(14, 12, 'Saturday', 35, 170),
(15, 1, 'Friday', 58, 520),
(16, 14, 'Saturday', 62, 490),
(17, 5, 'Friday', 95, 840),
(18, 13, 'Monday', 48, 410);

CREATE TABLE owners (owner_id INTEGER PRIMARY KEY, name TEXT, street TEXT, discount INTEGER);
CREATE TABLE pets (pet_id INTEGER PRIMARY KEY, name TEXT, species TEXT, age INTEGER, weight REAL, owner_id INTEGER,
FOREIGN KEY (owner_id) REFERENCES owners(owner_id));
CREATE TABLE treatments (treatment_id INTEGER PRIMARY KEY, pet_id INTEGER, vet TEXT, reason TEXT, cost INTEGER,
FOREIGN KEY (pet_id) REFERENCES pets(pet_id));

INSERT INTO owners VALUES
(1, 'Amelia', 'Mill Street', 5),
(2, 'Boris', 'Park Street', 0),
(3, 'Chiara', 'Mill Street', 10),
(4, 'Declan', 'Hill Street', 15),
(5, 'Esther', 'Park Street', 8),
(6, 'Farid', 'Mill Street', 20),
(7, 'Greta', 'Lake Street', 12),
(8, 'Hugo', 'Mill Street', 3);

INSERT INTO pets VALUES
(1, 'Biscuit', 'dog', 4, 18.5, 1),
(2, 'Pepper', 'cat', 9, 4.2, 1),
(3, 'Rocket', 'dog', 2, 27.0, 2),
(4, 'Shadow', 'cat', 3, 5.1, 3),
(5, 'Clover', 'rabbit', 6, 1.9, 3),
(6, 'Bruno', 'dog', 11, 33.4, 4),
(7, 'Kiwi', 'parrot', 15, 0.4, 5),
(8, 'Misty', 'cat', 1, 2.8, 3),
(9, 'Tango', 'dog', 7, 11.6, 6),
(10, 'Nibbles', 'rabbit', 5, 2.3, 7),
(11, 'Luna', 'cat', 13, 3.6, 7),
(12, 'Rusty', 'dog', 8, 21.7, 5);

INSERT INTO treatments VALUES
(1, 1, 'Weber', 'vaccine', 40),
(2, 2, 'Weber', 'teeth', 95),
(3, 3, 'Okafor', 'vaccine', 42),
(4, 6, 'Lindqvist', 'surgery', 480),
(5, 4, 'Okafor', 'checkup', 35),
(6, 6, 'Okafor', 'checkup', 38),
(7, 7, 'Duarte', 'wing', 120),
(8, 9, 'Lindqvist', 'surgery', 350),
(9, 10, 'Weber', 'teeth', 80),
(10, 11, 'Okafor', 'checkup', 33),
(11, 6, 'Weber', 'teeth', 110),
(12, 8, 'Weber', 'vaccine', 39),
(13, 11, 'Lindqvist', 'surgery', 265),
(14, 1, 'Okafor', 'checkup', 36),
(15, 9, 'Okafor', 'checkup', 34),
(16, 11, 'Okafor', 'vaccine', 41),
(17, 6, 'Okafor', 'vaccine', 45);
